"""A project as the template of another country's: what is asked, what is an answer, and the folder made of both.

`questions` reads what the template asks; `answers` collects and checks what was said; `country` writes the folder.
"""
