package modelstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/shared/modelcard"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// hubConfigs are the keys of the hub's config.json in which the eight differ from their
// types' defaults.
var hubConfigs = map[string]string{
	"bert-base-uncased": `{"model_type":"bert"}`,
	"roberta-base":      `{"model_type":"roberta","vocab_size":50265,"max_position_embeddings":514,"type_vocab_size":1,"pad_token_id":1}`,
	"microsoft/deberta-v3-base": `{"model_type":"deberta-v2","vocab_size":128100,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,
		"intermediate_size":3072,"type_vocab_size":0,"max_position_embeddings":512,"relative_attention":true,"position_buckets":256,
		"norm_rel_ebd":"layer_norm","share_att_key":true,"pos_att_type":"p2c|c2p","position_biased_input":false}`,
	"google/electra-base-discriminator": `{"model_type":"electra","embedding_size":768,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072}`,
	"albert-base-v2":                    `{"model_type":"albert","embedding_size":128,"hidden_size":768,"num_attention_heads":12,"intermediate_size":3072}`,
	"distilbert-base-uncased":           `{"model_type":"distilbert"}`,
	"YituTech/conv-bert-base":           `{"model_type":"convbert"}`,
	"xlnet-base-cased":                  `{"model_type":"xlnet","d_model":768,"n_layer":12,"n_head":12,"d_inner":3072}`,
}

// The cards say of the eight what their configurations come to.
func TestCards(t *testing.T) {
	cards, err := modelcard.Load()
	check(t, err)
	for _, card := range cards {
		dir := t.TempDir()
		put(t, dir, "config.json", []byte(hubConfigs[card.Name]))
		put(t, dir, "model.safetensors", nil)
		a, err := Look(dir)
		check(t, err)
		got := trainmemory.Model{
			Type: a.ModelType, Parameters: a.Parameters, Layers: a.Layers, Hidden: a.Hidden,
			Intermediate: a.Intermediate, Heads: a.Heads, ConvKernel: a.ConvKernel,
		}
		if d := cmp.Diff(card.Memory(), got); d != "" {
			t.Errorf("%s: -card +configuration\n%s", card.Name, d)
		}
		if a.MaxPositions != card.MaxPositions && a.MaxPositions != 0 {
			t.Errorf("%s: %d positions, the card says %d", card.Name, a.MaxPositions, card.MaxPositions)
		}
	}
}

// Every golden checkpoint can be put into a store and described.
func TestGoldenImport(t *testing.T) {
	s := Folder(t.TempDir())
	for _, dir := range goldentest.Cases(t, "config.json", "models") {
		e, err := Import(t.Context(), s, "", dir, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		c, err := pretrained.LoadConfig(dir)
		check(t, err)
		if e.About.ModelType != c.ModelType || e.About.Parameters != int64(pretrained.Count(c)) || e.About.Bytes == 0 {
			t.Errorf("%s: %+v", dir, e.About)
		}
		if _, err := e.About.Memory(trainmemory.Step{Batch: 1, Length: 8}); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if _, err := os.Stat(filepath.Join(e.Place, "golden.json")); err == nil {
			t.Errorf("%s: what is no part of a backbone was copied", dir)
		}
	}
}
