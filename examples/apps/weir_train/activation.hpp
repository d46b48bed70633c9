#pragma once

namespace weir_train {

enum class Activation { none, relu };

}  // namespace weir_train
