#include "make_network.hpp"

#include "cnn.hpp"
#include "gru.hpp"
#include "mlp.hpp"

namespace weir_train {

Network<float> make_network(Configuration const& configuration, Images const& images) {
  if (configuration.model == ModelKind::cnn) return cnn<float>(images.shape, images.classes);
  if (configuration.model == ModelKind::gru)
    return gru<float>(images.shape, configuration.hidden, images.classes);
  return mlp<float>(images.shape, configuration.hidden, images.classes);
}

}  // namespace weir_train
