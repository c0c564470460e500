package sampler

import "math"

// A mass is the log probability of a grid cell under a truncated normal distribution.
type mass struct{ mean, sigma, cell, log float64 }

func (m *mass) is(mean, sigma, cell float64) bool {
	return m.mean == mean && m.sigma == sigma && m.cell == cell
}

// A massCache remembers masses: on a grid, many components share mean and width, and one
// costs as much as a hundred distances. What was put where another's place is replaces it.
type massCache struct{ known []mass }

// massCacheBits keeps a dimension's cache at 128 KB.
const massCacheBits = 12

// at returns where the mass is kept, if it is known.
func (c *massCache) at(mean, sigma, cell float64) *mass {
	if c.known == nil {
		c.known = make([]mass, 1<<massCacheBits) // no sigma is 0, so none of these is any
	}
	key := math.Float64bits(mean)*0x9e3779b97f4a7c15 ^ math.Float64bits(sigma)*0xbf58476d1ce4e5b9 ^
		math.Float64bits(cell)*0x94d049bb133111eb
	key *= 0xd6e8feb86659fd93
	return &c.known[key>>(64-massCacheBits)]
}
