// The ops that change no more than one row at a time: embedding, swiglu, quantize, gather_last_tokens.
#include "cpu/swiglu.h"
#include "cuda/bf16_values.h"
#include "cuda/device_test.h"
#include "cuda/embedding.h"
#include "cuda/fp8_checks.h"
#include "cuda/last_tokens.h"
#include "cuda/quantize.h"
#include "cuda/swiglu.h"

namespace saferoute::cuda {
namespace {

class Elementwise : public DeviceTest {};

TEST_F(Elementwise, EmbeddingCopiesRowsExactly) {
  const std::vector<int32_t> ids = {4, 0, 6, 4};
  for (const int hidden : {8, 200, 2056}) {
    const std::vector<Bf16> table = to_bf16(random_floats(size_t{7} * hidden, 1));
    const std::vector<float> rows = to_floats(table);
    DeviceVector<int32_t> on_ids(ids);
    DeviceVector<Bf16> on_table(table);
    DeviceVector<float> out(static_cast<int64_t>(ids.size()) * hidden);
    embedding(on_ids.data(), on_table.data(), out.data(), static_cast<int>(ids.size()), hidden, stream_);
    std::vector<float> expected;
    for (const int32_t id : ids) {
      expected.insert(expected.end(), rows.begin() + id * hidden, rows.begin() + (id + 1) * hidden);
    }
    expect_near(out.read(), expected, 0);
  }
}

TEST_F(Elementwise, SwigluMatchesTheCpu) {
  for (const int intermediate : {8, 264, 1536, 4104, 8192}) {
    SCOPED_TRACE(intermediate);
    const int tokens = 3;
    const std::vector<float> gate_up = rounded_to_bf16(random_floats(size_t{6} * intermediate, 2, 3.0f));
    std::vector<float> expected(static_cast<size_t>(tokens) * intermediate);
    cpu::swiglu(gate_up.data(), expected.data(), tokens, intermediate, cpu::serial());
    DeviceVector<Bf16> on_gate_up(to_bf16(gate_up)), out(tokens * intermediate);
    DeviceVector<Fp8> values(tokens * intermediate);
    DeviceVector<float> scales(tokens);
    swiglu(on_gate_up.data(), out.data(), tokens, intermediate, stream_);
    swiglu(on_gate_up.data(), Fp8Rows{values.data(), scales.data()}, tokens, intermediate, stream_);
    expect_near(to_floats(out.read()), expected, kBf16Step);
    expect_fp8_rows(values.read(), scales.read(), expected, 1e-5f);
  }
}

TEST_F(Elementwise, SwigluOfGatesFarFromZero) {
  DeviceVector<Bf16> gate_up(to_bf16({-200, 200, -1e30f, 1e30f, NAN, 0, -88, 88, 1, 1, 1, 1, 1, 1, 1, 1}));
  DeviceVector<Bf16> out(8);
  swiglu(gate_up.data(), out.data(), 1, 8, stream_);
  const std::vector<float> got = to_floats(out.read());
  expect_near(got, rounded_to_bf16({0, 200, 0, 1e30f, NAN, 0, 0, 88}), 1e-6f);
}

TEST_F(Elementwise, QuantizeIsWithinHalfAStep) {
  for (const int size : {8, 72, 2048, 4104}) {
    std::vector<float> x = rounded_to_bf16(random_floats(size_t{4} * size, 3));
    std::fill_n(x.begin() + size, size, 0.0f);
    for (int i = 0; i < size; ++i) x[2 * size + i] *= 1e-20f;
    x[3 * size] = 3e38f;  // beside it all others are denormal or nothing
    x = rounded_to_bf16(x);
    DeviceVector<Bf16> on_x(to_bf16(x));
    DeviceVector<Fp8> values(4 * size);
    DeviceVector<float> scales(4);
    quantize(on_x.data(), {values.data(), scales.data()}, 4, size, stream_);
    const std::vector<float> scale = scales.read();
    EXPECT_EQ(scale[1], 1.0f);
    expect_fp8_rows(values.read(), scale, x, 0);
  }
}

TEST_F(Elementwise, QuantizeSpreadsWhatIsNotFiniteToItsRow) {
  std::vector<float> x = random_floats(3 * 64, 4);
  x[7] = NAN;
  x[128] = -INFINITY;
  DeviceVector<Bf16> on_x(to_bf16(x));
  DeviceVector<Fp8> values(3 * 64);
  DeviceVector<float> scales(3);
  quantize(on_x.data(), {values.data(), scales.data()}, 3, 64, stream_);
  const std::vector<float> scale = scales.read();
  EXPECT_TRUE(std::isnan(scale[0]) && std::isfinite(scale[1]) && std::isnan(scale[2]));
}

TEST_F(Elementwise, LastTokensAreCopiedAndPaddingIsZeros) {
  const int hidden = 2056;
  const std::vector<int32_t> offsets = {0, 3, 3, 4, 9};
  const std::vector<float> x = random_floats(9 * hidden, 5);
  DeviceVector<float> on_x(x), last(4 * hidden);
  DeviceVector<int32_t> on_offsets(offsets);
  gather_last_tokens(on_x.data(), on_offsets.data(), last.data(), 4, hidden, stream_);
  std::vector<float> expected(4 * hidden);
  for (const size_t row : {size_t{0}, size_t{2}, size_t{3}}) {
    std::copy_n(x.begin() + (offsets[row + 1] - 1) * hidden, hidden,
                expected.begin() + static_cast<int64_t>(row) * hidden);
  }
  expect_near(last.read(), expected, 0);
}

}  // namespace
}  // namespace saferoute::cuda
