package support

import (
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
)

func TestCheckBackbone(t *testing.T) {
	config := pretrained.Config{VocabSize: 100, TypeVocabSize: 2, MaxPositionEmbeddings: 128}
	single := config
	single.TypeVocabSize = 1
	roberta := single
	roberta.ModelType, roberta.PadTokenID = pretrained.ModelTypeRoBERTa, 1
	for _, c := range []struct {
		config         pretrained.Config
		ids, maxLength int
		want           string
	}{
		{config, 100, 128, ""},
		{config, 7, 1, ""}, // a vocabulary may be padded
		{config, 101, 128, "its tokenizer has 101 ids, but vocab_size in its config.json is 100"},
		{config, 100, 129, "tok.max_length 129 is more than the 128 positions in its config.json"},
		{single, 100, 128, "type_vocab_size in its config.json is 1; pairs of texts need 2"},
		{roberta, 100, 126, ""}, // its one type is every token's
		{roberta, 100, 127, "tok.max_length 127 is more than the 126 positions in its config.json"},
		{pretrained.Default(pretrained.ModelTypeXLNet), 100, 10_000, ""},
	} {
		got := ""
		if err := CheckBackbone(c.config, c.ids, c.maxLength); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("CheckBackbone(%+v, %d, %d): got %q, want %q", c.config, c.ids, c.maxLength, got, c.want)
		}
	}
}
