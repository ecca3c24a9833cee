"""Built-in export recipes, one module per published project; none imports torch before its `build` is called.

crop_networks: the shared part of recipes for networks from crops to one output. user_module, user_inputs: a recipe
for any torch module of the user's. Every other module has a hook that yields its recipes.
"""
