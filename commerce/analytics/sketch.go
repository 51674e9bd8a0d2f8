package analytics

import (
	"math"
	"math/bits"
)

// sketch counts how many different digests it was shown, without keeping any: a HyperLogLog of
// 4,096 registers, which is off by 1.6 % of many and by less of few. Two of them are merged by
// the greater of each register.
type sketch []byte

const (
	sketchBits = 12
	registers  = 1 << sketchBits
)

// add shows it a digest, and says whether it has changed.
func (k sketch) add(digest uint64) bool {
	at, rank := digest>>(64-sketchBits), byte(bits.LeadingZeros64(digest<<sketchBits|1<<(sketchBits-1))+1)
	if k[at] >= rank {
		return false
	}
	k[at] = rank
	return true
}

// merge adds what another was shown. One of another size, which there is not, is left out.
func (k sketch) merge(o sketch) {
	if len(o) != len(k) {
		return
	}
	for i, rank := range o {
		k[i] = max(k[i], rank)
	}
}

// count is how many there were, by the estimate of Flajolet and others with linear counting for
// few.
func (k sketch) count() int64 {
	sum, zeros := 0.0, 0
	for _, rank := range k {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			zeros++
		}
	}
	const m = float64(registers)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(estimate))
}
