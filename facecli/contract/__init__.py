"""The plugin contract, API 1: what a plugin hands over, and what facecli, its host, hands to the plugin.

A hook (see facecli.contract.hookspecs, with examples) yields cheap descriptors: `DetectorPlugin`, `RecognizerPlugin`,
`AttributePlugin`, `TrackerPlugin`, `ExportRecipe`, `EnginePlugin`. The heavy object comes from
`descriptor.load(runtime, parameters)` when somebody asks for that plugin, an engine from `load(resources, parameters)`.
A plugin may import this package, `facecli.types`, `facecli.errors`, `facecli.geometry`, `facecli.assignment`,
`facecli.labels` and, in its tests, `facecli.testing`; nothing else is stable.
"""

from facecli.contract.attribute import AttributeClassifier, AttributePlugin, Bin, CropsClassifier, HeadsClassifier
from facecli.contract.crop import CropSpec, Point, Preprocessing
from facecli.contract.detector import Detector, DetectorPlugin
from facecli.contract.engine import Engine, EnginePlugin, Resources, Shard, ShardReport, Work, Worker
from facecli.contract.hooks import API_VERSION, hookimpl
from facecli.contract.model import ModelArchive, ModelFile, ModelSpec
from facecli.contract.operating_point import Cohort, OperatingPoint
from facecli.contract.recipe import DetectorPeer, ExportPart, ExportRecipe, Precision, Task
from facecli.contract.recognizer import Recognizer, RecognizerPlugin
from facecli.contract.runtime import Parameters, Runtime, Session
from facecli.contract.tracker import Tracker, TrackerPlugin
from facecli.kinds import Metric

__all__ = [
    "API_VERSION",
    "AttributeClassifier",
    "AttributePlugin",
    "Bin",
    "Cohort",
    "CropSpec",
    "CropsClassifier",
    "Detector",
    "DetectorPeer",
    "DetectorPlugin",
    "Engine",
    "EnginePlugin",
    "ExportPart",
    "ExportRecipe",
    "HeadsClassifier",
    "Metric",
    "ModelArchive",
    "ModelFile",
    "ModelSpec",
    "OperatingPoint",
    "Parameters",
    "Point",
    "Precision",
    "Preprocessing",
    "Recognizer",
    "RecognizerPlugin",
    "Resources",
    "Runtime",
    "Session",
    "Shard",
    "ShardReport",
    "Task",
    "Tracker",
    "TrackerPlugin",
    "Work",
    "Worker",
    "hookimpl",
]
