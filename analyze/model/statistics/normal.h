// The standard normal distribution.
#pragma once

namespace tailcap::model {

double normal_below(double z);
double normal_quantile(double q);

}  // namespace tailcap::model
