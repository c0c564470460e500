package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// scoredPiece is an entry of a Unigram vocabulary.
type scoredPiece struct {
	piece string
	score float64
}

// UnmarshalJSON reads a list of the piece and its score.
func (p *scoredPiece) UnmarshalJSON(data []byte) error {
	var piece *string
	var score *float64
	list := []any{&piece, &score}
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 2 || piece == nil || score == nil {
		return errors.New("an entry is not a list of a piece and its score")
	}
	p.piece, p.score = *piece, *score
	return nil
}

// unigram sets p's vocabulary and model to Unigram over list, whose places are the ids. With
// fallback, unknown text is spelt with the pieces <0x00> to <0xFF>.
func (p *blueprint) unigram(list []scoredPiece, unknown int32, fallback bool, s unigramSettings) error {
	if unknown < 0 || int(unknown) >= len(list) {
		return fmt.Errorf("the id of unknown text is %d, the vocabulary has %d pieces", unknown, len(list))
	}
	p.vocab = make(map[string]int32, len(list))
	scores := make([]float64, len(list))
	for i, e := range list {
		if first, ok := p.vocab[e.piece]; ok {
			return fmt.Errorf("piece %d is piece %d once more", i, first)
		}
		if !utf8.ValidString(e.piece) {
			return fmt.Errorf("piece %d is not UTF-8", i)
		}
		if math.IsNaN(e.score) || math.IsInf(e.score, 0) {
			return fmt.Errorf("piece %d has the score %v", i, e.score)
		}
		p.vocab[e.piece] = int32(i)
		scores[i] = e.score
	}
	s.unknown = unknown
	if fallback {
		s.bytes = new([256]int32)
		for b := range s.bytes {
			id, ok := p.vocab[fmt.Sprintf("<0x%02X>", b)]
			if !ok {
				id = -1
			}
			s.bytes[b] = id
		}
	}
	p.model = func(vocab []string) (model, error) { return newUnigram(vocab, scores, s), nil }
	return nil
}
