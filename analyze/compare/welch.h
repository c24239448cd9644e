// The difference of two means of runs: Welch's t with the degrees of freedom of Satterthwaite.
#pragma once

#include <span>

namespace tailcap::compare {

struct Effect {
  double difference = 0;  // new less base
  double se = 0, df = 0;
  bool point() const { return !(se > 0); }

  double p_above() const;  // one-sided: that chance makes such an increase
  double p_two() const;
  double bound(double p) const;  // the end of the interval below which the difference lies with probability p
  // The increase that a test at level alpha finds with a probability of 80 %.
  double detectable(double alpha) const;
};

// At least two values a side. The variance of a side is at least its floor.
Effect welch(std::span<const double> base, std::span<const double> fresh, double base_floor = 0,
             double fresh_floor = 0);

// Compares pairs of values: base[i] belongs to fresh[i]. The variance of the differences is at least the floor.
Effect paired(std::span<const double> base, std::span<const double> fresh, double floor = 0);

// The same difference, with further variance that the values do not show, known with `df` degrees of freedom;
// infinite: known for certain.
Effect widened(Effect effect, double variance, double df);

double mean_of(std::span<const double> values);      // not empty
double variance_of(std::span<const double> values);  // of a sample of at least two

}  // namespace tailcap::compare
