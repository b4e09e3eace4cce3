"""One file per service: what moto lacks, or accepts though AWS would not. `install` puts a file in moto's place."""
