package tokenizer

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// spModel is what matters of a SentencePiece model file, the protocol buffer ModelProto of
// sentencepiece_model.proto.
type spModel struct {
	pieces   []spPiece
	kind     uint64 // trainer_spec.model_type
	unknown  int32  // trainer_spec.unk_id
	charsmap []byte // normalizer_spec.precompiled_charsmap
}

type spPiece struct {
	scoredPiece
	kind uint64
}

// The numbers of ModelProto's enumerations.
const (
	spUnigram     = 1
	spControl     = 3
	spUserDefined = 4
)

// fieldReader takes one field of a message: its number, type and value, of which as many
// bytes as it returns belong to the field; below 0 is a protowire error.
type fieldReader func(number protowire.Number, kind protowire.Type, value []byte) (int, error)

// readMessage calls read for every field of a message. base is where the message begins in
// the file, for errors.
func readMessage(data []byte, base int, read fieldReader) error {
	for at := 0; at < len(data); {
		number, kind, n := protowire.ConsumeTag(data[at:])
		if n < 0 {
			return fmt.Errorf("at byte %d: %w", base+at, protowire.ParseError(n))
		}
		size, err := read(number, kind, data[at+n:])
		if err != nil {
			return fmt.Errorf("at byte %d: %w", base+at, err)
		}
		if size == skipField {
			size = protowire.ConsumeFieldValue(number, kind, data[at+n:])
		}
		if size < 0 {
			return fmt.Errorf("at byte %d: %w", base+at, protowire.ParseError(size))
		}
		at += n + size
	}
	return nil
}

// skipField is what a fieldReader returns for a field that it does not know.
const skipField = math.MinInt

// parseSPModel reads a spiece.model or spm.model.
func parseSPModel(data []byte) (*spModel, error) {
	m := &spModel{kind: spUnigram}
	var trainer, normalizer bool
	err := readMessage(data, 0, func(number protowire.Number, kind protowire.Type, value []byte) (int, error) {
		if kind != protowire.BytesType || number > 3 {
			return skipField, nil
		}
		inner, n := protowire.ConsumeBytes(value)
		if n < 0 {
			return n, nil
		}
		base := len(data) - len(value) + n - len(inner)
		switch number {
		case 1:
			p := spPiece{kind: 1}
			err := readMessage(inner, base, p.field)
			m.pieces = append(m.pieces, p)
			return n, err
		case 2:
			trainer = true
			return n, readMessage(inner, base, m.trainerField)
		case 3:
			normalizer = true
			return n, readMessage(inner, base, m.normalizerField)
		}
		return n, nil
	})
	if err != nil {
		return nil, err
	}
	if len(m.pieces) == 0 {
		return nil, errors.New("it has no pieces; it should be a SentencePiece model")
	}
	if !trainer || !normalizer {
		return nil, fmt.Errorf("it ends at byte %d without its trainer_spec or normalizer_spec, which stand behind the pieces", len(data))
	}
	if m.kind != spUnigram {
		return nil, fmt.Errorf("model_type %d is %w (implemented: 1, Unigram)", m.kind, ErrNotImplemented)
	}
	return m, nil
}

func (p *spPiece) field(number protowire.Number, kind protowire.Type, value []byte) (int, error) {
	switch {
	case number == 1 && kind == protowire.BytesType:
		text, n := protowire.ConsumeBytes(value)
		p.piece = string(text)
		return n, nil
	case number == 2 && kind == protowire.Fixed32Type:
		bits, n := protowire.ConsumeFixed32(value)
		p.score = float64(math.Float32frombits(bits))
		return n, nil
	case number == 3 && kind == protowire.VarintType:
		v, n := protowire.ConsumeVarint(value)
		p.kind = v
		return n, nil
	}
	return skipField, nil
}

func (m *spModel) trainerField(number protowire.Number, kind protowire.Type, value []byte) (int, error) {
	if kind != protowire.VarintType || number != 3 && number != 40 {
		return skipField, nil
	}
	v, n := protowire.ConsumeVarint(value)
	if number == 3 {
		m.kind = v
	} else {
		m.unknown = int32(min(v, math.MaxInt32))
	}
	return n, nil
}

func (m *spModel) normalizerField(number protowire.Number, kind protowire.Type, value []byte) (int, error) {
	if number != 2 || kind != protowire.BytesType {
		return skipField, nil
	}
	b, n := protowire.ConsumeBytes(value)
	m.charsmap = b
	return n, nil
}
