package still

import "math"

// hash gives each pair of whole numbers a value from 0 to 1 that looks random.
func hash(x, y int32) float64 {
	h := uint32(x)*0x85ebca6b ^ uint32(y)*0xc2b2ae35 //nolint:gosec // wrapping is meant
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	h ^= h >> 15
	return float64(h) / (1 << 32)
}

// noise is a smooth hilly ground of heights from 0 to 1, a hill a unit.
func noise(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int32(fx), int32(fy)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	top := hash(ix, iy) + (hash(ix+1, iy)-hash(ix, iy))*tx
	bottom := hash(ix, iy+1) + (hash(ix+1, iy+1)-hash(ix, iy+1))*tx
	return top + (bottom-top)*ty
}

// rough is noise upon noise, from 0 to 1.
func rough(x, y float64) float64 {
	return noise(x, y)*0.57 + noise(x*2.1+17, y*2.1-5)*0.28 + noise(x*4.3-9, y*4.3+31)*0.15
}
