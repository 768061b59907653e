"""The stages that train ColorizeDiffusion's versions; ``stage_table`` says what each trains and freezes."""
