"""Recipe of the embedded planner: corpus generator, tokenizer, trainer."""
