// A fully connected layer with a Gaussian posterior over every weight and bias (Blundell et al. 2015).
#pragma once

#include "train/affine.h"
#include "train/random_stream.h"

namespace saferoute::train {

struct Prior {
  double sigma;      // of the Gaussian around 0
  double kl_weight;  // of one element's KL(posterior || prior) in the loss
};

// y = x W^T + b. Draws its weights anew for each step of training, w = mu + sigma * noise, and is the posterior's mean
// otherwise. What it adds to the loss is kl_weight times the sum over all elements of KL(N(mu, sigma^2) || N(0, p^2)) =
// ln(p / sigma) + (sigma^2 + mu^2) / (2 p^2) - 1/2, p the prior's sigma.
class BayesianLinear final : public Layer {
 public:
  BayesianLinear(const std::string& name, AffineShape shape, Prior prior, uint64_t seed, uint32_t part);

  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;
  double penalty() const override;
  std::vector<Parameter*> parameters() override;

 private:
  // The posterior of the weights, or of the biases; all buffers are as large as mu.
  struct Posterior {
    Posterior(const std::string& name, std::vector<int64_t> shape, std::vector<float> mean, double sigma,
              RandomStream noise);

    void draw(const Pass& pass);
    // From the gradient of what was drawn, which lies in that of mu.
    void differentiate(Prior prior, const Pass& pass);

    Parameter mu;
    Parameter log_sigma;
    RandomStream noise;
    std::vector<float> deviation;  // drawn less mu
    std::vector<float> drawn;
    std::vector<double> divergences;  // (pieces of kPieceFloats), the KL of each
  };

  AffineShape shape_;
  Prior prior_;
  Posterior weight_;  // (outputs, inputs)
  Posterior bias_;    // (outputs)
};

}  // namespace saferoute::train
