"""Knowledge Explaining Distillation (arXiv 2310.02572): the method, without any screen."""
