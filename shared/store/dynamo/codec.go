package dynamo

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// maxUnpacked bounds what a damaged item or snapshot can unpack to.
const maxUnpacked = 1 << 30

// codec packs lists of byte strings into an attribute: each with its length (uvarint)
// before it, all of that as it is or, when that is shorter, compressed. The first byte
// says which. A row costs by the kilobyte, and what lies in one is text of few words.
type codec struct {
	small *zstd.Encoder
	in    *zstd.Decoder
}

const (
	formatPlain byte = 0
	formatZstd  byte = 1
)

func newCodec() (codec, error) {
	small, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return codec{}, fmt.Errorf("prepare compression: %w", err)
	}
	in, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		return codec{}, fmt.Errorf("prepare compression: %w", err)
	}
	return codec{small, in}, nil
}

func (c codec) pack(list [][]byte) []byte {
	size := 1
	for _, b := range list {
		size += binary.MaxVarintLen32 + len(b)
	}
	plain := make([]byte, 1, size)
	plain[0] = formatPlain
	for _, b := range list {
		plain = binary.AppendUvarint(plain, uint64(len(b)))
		plain = append(plain, b...)
	}
	packed := c.small.EncodeAll(plain[1:], []byte{formatZstd})
	if len(packed) < len(plain) {
		return packed
	}
	return plain
}

var errDamaged = errors.New("its data is damaged")

func (c codec) unpack(data []byte) ([][]byte, error) {
	if len(data) == 0 {
		return nil, errDamaged
	}
	format, plain := data[0], data[1:]
	switch format {
	case formatPlain:
	case formatZstd:
		var err error
		if plain, err = c.in.DecodeAll(plain, nil); err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
	default:
		return nil, errDamaged
	}
	var list [][]byte
	for len(plain) > 0 {
		n, width := binary.Uvarint(plain)
		if width <= 0 || n > uint64(len(plain)-width) {
			return nil, errDamaged
		}
		end := width + int(n)
		list = append(list, plain[width:end:end])
		plain = plain[end:]
	}
	return list, nil
}

// packSnapshot compresses as well as it can: it is called seldom, and its result is read
// and written whole.
func packSnapshot(snapshot []byte) ([]byte, error) {
	big, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return big.EncodeAll(snapshot, nil), big.Close()
}

func (c codec) unpackSnapshot(data []byte) ([]byte, error) {
	snapshot, err := c.in.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w: %w", errDamaged, err)
	}
	return snapshot, nil
}
