"""What `pulumi up` runs."""

from infra.stack import main

main()
