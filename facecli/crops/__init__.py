"""From a picture and a face to the crop that a model sees, and from crops to the numbers that it takes."""
