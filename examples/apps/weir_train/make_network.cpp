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
  auto const& hidden = configuration.hidden;
  switch (configuration.model) {
    case ModelKind::cnn:
      return cnn<float>(images.shape, images.classes, make);
    case ModelKind::gru:
      return gru<float>(images.shape, hidden, images.classes, make);
    case ModelKind::transformer:
      return images.is_text() ? language_transformer<float>(images.labels_each, images.classes, hidden, make)
                              : patch_transformer<float>(images.shape, hidden, images.classes, make);
    case ModelKind::mlp:
      break;
  }
  return mlp<float>(images.shape, hidden, images.classes, make);
}

}  // namespace

Network<float> make_network(Configuration const& configuration, Images const& images) {
  if (!configuration.masking) return make_with(configuration, images, DenseLayers<float>());
  LayerMasks const masks(*configuration.masking, configuration.seed);
  return make_with(configuration, images, MaskedLayers<float>{masks});
}

}  // namespace weir_train
