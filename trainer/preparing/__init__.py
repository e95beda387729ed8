"""What `trainer.prepare` does to rows and photos on Apache Beam."""
