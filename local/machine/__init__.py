"""A virtual machine of this computer: firmware, disks, console, and a network that holds only what it is given."""
