"""Who may do what: roles, the permissions in them, and policies that grant them."""
