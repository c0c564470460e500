package support

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
)

// CheckVocabulary reports that a tokenizer has more ids than the backbone.
func CheckVocabulary(c pretrained.Config, ids int) error {
	if ids > c.VocabSize {
		return fmt.Errorf("its tokenizer has %d ids, but vocab_size in its config.json is %d", ids, c.VocabSize)
	}
	return nil
}

// CheckBackbone reports why a backbone cannot read pairs of texts of up to maxLength
// tokens from a tokenizer with that many ids.
func CheckBackbone(c pretrained.Config, ids, maxLength int) error {
	if err := CheckVocabulary(c, ids); err != nil {
		return err
	}
	switch {
	case c.ReadsTypes() && c.ModelType != pretrained.ModelTypeXLNet && c.TypeVocabSize < 2: // XLNet compares types
		return fmt.Errorf("type_vocab_size in its config.json is %d; pairs of texts need 2", c.TypeVocabSize)
	case maxLength > c.Positions():
		return fmt.Errorf("tok.max_length %d is more than the %d positions in its config.json", maxLength, c.Positions())
	}
	return nil
}
