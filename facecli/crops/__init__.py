"""From a picture and a face to the crop that a model sees."""
