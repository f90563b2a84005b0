"""What a user sets outside the code: the folder `config/` joined with the package's own tables (`defaults/`)."""
