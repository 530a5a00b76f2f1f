"""Import torchvision's Python parts also where its compiled operators do not load.

PyPI's Linux torchvision is built against CUDA torch. Beside a CPU-only torch its library of operators is skipped, and
`import torchvision` dies with "operator torchvision::nms does not exist", because it registers fake versions of two
operators that it expects to be declared. We use neither; declaring their schemas is enough. Import it from here.
"""

from common.startup import resting_collector, torch

with resting_collector():
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        LIBRARY = torch.library.Library("torchvision", "DEF")  # the declarations live as long as this object
        LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401
