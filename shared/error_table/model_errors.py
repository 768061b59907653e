"""Errors about models: their files, downloads and parameters."""

from typing import Dict

from .codes import DETAIL, ErrorCode, ErrorText

MODEL_ERRORS: Dict[ErrorCode, ErrorText] = {
    ErrorCode.UNKNOWN_MODEL: ErrorText("That model is not installed.", "Choose another model.", 404),
    ErrorCode.MODEL_CORRUPT: ErrorText(
        "The model file is damaged.", "Download it again, or run install.py to restore a model that came with Linewash.", 500
    ),
    ErrorCode.MODEL_MISSING: ErrorText("The model file is missing.", "Run install.py again to restore it.", 500),
    ErrorCode.DOWNLOAD_UNKNOWN: ErrorText(
        "The hub has no such file.", "Check the names of repository and file, or run linewash models list.", 404
    ),
    ErrorCode.DOWNLOAD_FAILED: ErrorText(
        "The download did not finish.", "Make sure that you are online, then try again: it continues where it stopped.", 502
    ),
    ErrorCode.DOWNLOAD_DAMAGED: ErrorText("The downloaded file is damaged.", "It was deleted; try again.", 502),
    ErrorCode.DOWNLOAD_NO_ROOM: ErrorText(
        "There is not enough disk space for the model.", "Free some space, then run the same command again.", 507
    ),
    ErrorCode.MODEL_UNREADABLE: ErrorText(
        "The file is not a safetensors model.", "Choose a file that ends in .safetensors and was made as one.", 422
    ),
    ErrorCode.MODEL_PICKLE: ErrorText(
        "The file is a pickle, which can run any program.", "Convert it with linewash models convert.", 422
    ),
    ErrorCode.MODEL_UNSAFE: ErrorText(
        "The pickle holds code besides weights.", "Get the model as .safetensors from its publisher.", 422
    ),
    ErrorCode.MODEL_TRUNCATED: ErrorText("The model file is incomplete.", "Download it again.", 422),
    ErrorCode.MODEL_HEADER: ErrorText(
        "The header of the model file does not match its contents.",
        "Do not use this file; get the model from its publisher.",
        422,
    ),
    ErrorCode.MODEL_OTHER_FAMILY: ErrorText("The file holds another kind of model.", "Choose one that Linewash knows.", 422),
    ErrorCode.MODEL_KEYS: ErrorText("The model file does not match its family.", "Get the file again from its publisher.", 422),
    ErrorCode.MODEL_PART_MISSING: ErrorText(
        "The model file lacks a whole network: %s." % DETAIL, "Get the file again from its publisher.", 422
    ),
    ErrorCode.BAD_SETTING: ErrorText(
        "One of the model's parameters has a value that is not allowed.", "Check the values under More, or press Defaults.", 422
    ),
    ErrorCode.NO_WORDS: ErrorText(
        "This model cannot read text.", "Set Change by to 0, or put CLIP's text encoder and vocabulary beside its weights.", 422
    ),
    ErrorCode.COMPANION_MISSING: ErrorText(
        "The model needs {detail}, which is not installed.", "Get it with linewash models download {detail}.", 422
    ),
}
