"""What a project takes for granted, held against itself, its credentials, and the systems that it connects.

`uses` tells which fields of each system the jobs use; `systems` asks the adaptors, which know what that means there;
`own` looks at the project file and the scripts; `snapshots` keeps what the systems told of themselves.
"""
