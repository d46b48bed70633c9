#include "make_network.hpp"

#include "cnn.hpp"
#include "gru.hpp"
#include "masked_layers.hpp"
#include "mlp.hpp"
#include "transformer.hpp"

namespace weir_train {
namespace {

template <class Make>
Network<float> make_with(Configuration const& configuration, Images const& images, Make const& make) {
  if (configuration.model == ModelKind::cnn) return cnn<float>(images.shape, images.classes, make);
  return mlp<float>(images.shape, configuration.hidden, images.classes, make);
}

}  // namespace

Network<float> make_network(Configuration const& configuration, Images const& images) {
  if (configuration.model == ModelKind::transformer) {
    if (images.is_text())
      return language_transformer<float>(images.labels_each, images.classes, configuration.hidden);
    return patch_transformer<float>(images.shape, configuration.hidden, images.classes);
  }
  if (configuration.model == ModelKind::gru)
    return gru<float>(images.shape, configuration.hidden, images.classes);
  if (!configuration.masking) return make_with(configuration, images, DenseLayers<float>());
  LayerMasks const masks(*configuration.masking, configuration.seed);
  return make_with(configuration, images, MaskedLayers<float>{masks});
}

}  // namespace weir_train
