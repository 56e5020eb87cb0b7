"""What pages are made of: each block shows one thing and answers to one."""
