"""What `goldfleet doctor` looks at: one small function a check, for this machine and for a stack on AWS."""
