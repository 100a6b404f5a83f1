"""How fast, how flat: each figure beside another side that did the same work in the same run.

The machine is shared and its speed changes by the minute, so that a time alone says little, and a ratio much. No test
looks at a time; `make bench` prints the table and writes it into docs/performance.md.
"""
