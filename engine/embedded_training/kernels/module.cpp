#include "kernels.h"

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("attention", &attention);
  module.def("attention_backward", &attention_backward);
  module.def("normalize", &normalize);
  module.def("normalize_backward", &normalize_backward);
  module.def("swiglu", &swiglu);
  module.def("swiglu_backward", &swiglu_backward);
  module.def("cross_entropy", &cross_entropy);
  module.def("cross_entropy_backward", &cross_entropy_backward);
  module.def("transposed", &transposed);
}
