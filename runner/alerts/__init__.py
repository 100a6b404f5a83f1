"""What needs a look, and who is told of it: by e-mail or webhook, in ids, codes and counts."""
