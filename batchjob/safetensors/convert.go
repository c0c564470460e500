package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Size is the bytes of an element, or 0 for a type that the format does not know.
func (t DType) Size() int { return int(sizes[t]) }

// Widen fills dst with as many elements of type t from src, little-endian. Only F32, F16,
// BF16 and F64 are floats; F64 is rounded. src must hold them all.
func Widen(dst []float32, src []byte, t DType) error {
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	default:
		return fmt.Errorf("it holds %s, not floats", t)
	}
	return nil
}

// halfToFloat widens an IEEE 754 binary16, subnormals, infinities and NaN included: its
// exponent and mantissa where a float32 has them stand for a number 2^112 times too small.
func halfToFloat(h uint16) float32 {
	const exponent, infinite = 0x7c00, 0x7f800000
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7fff)<<13
	if h&exponent == exponent {
		return math.Float32frombits(sign | infinite | rest)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(rest)*0x1p112))
}
