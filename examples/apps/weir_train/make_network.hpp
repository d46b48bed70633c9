#pragma once

#include "configuration.hpp"
#include "dataset.hpp"
#include "network.hpp"

namespace weir_train {

/// The model of a configuration for such images. In a file of its own, since layers take a while to compile.
Network<float> make_network(Configuration const& configuration, Images const& images);

}  // namespace weir_train
