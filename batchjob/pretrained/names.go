package pretrained

import "strings"

// Prefix stands before an encoder's parameters in a model with a head, as the hub library
// names them.
func (c Config) Prefix() string {
	switch c.ModelType {
	case ModelTypeDeBERTaV2:
		return "deberta."
	case ModelTypeXLNet:
		return "transformer."
	}
	return c.ModelType + "."
}

// heads are what the hub's checkpoints hold beside the encoder: heads of pre-training and
// of tasks, and buffers that older versions stored. An entry with a final dot is a prefix.
var heads = map[string][]string{
	"":                {"classifier.", "qa_outputs.", "embeddings.position_ids", "embeddings.token_type_ids"},
	ModelTypeALBERT:   {"predictions.", "sop_classifier."},
	ModelTypeBERT:     {"cls.predictions.", "cls.seq_relationship."},
	ModelTypeConvBERT: {"generator_predictions.", "generator_lm_head.", "discriminator_predictions.", "sequence_summary."},
	// What it calls pooler belongs to its classifier.
	ModelTypeDeBERTaV2:  {"lm_predictions.", "mask_predictions.", "cls.predictions.", "pooler."},
	ModelTypeDistilBERT: {"vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "pre_classifier."},
	ModelTypeELECTRA:    {"generator_predictions.", "generator_lm_head.", "discriminator_predictions.", "sequence_summary."},
	ModelTypeRoBERTa:    {"lm_head."},
	ModelTypeXLNet:      {"lm_loss.", "sequence_summary.", "logits_proj.", "start_logits.", "end_logits.", "answer_class."},
}

// ignored reports whether a checkpoint's tensor, by its canonical name, is no part of the
// encoder.
func ignored(c Config, name string) bool {
	for _, list := range [][]string{heads[""], heads[c.ModelType]} {
		for _, entry := range list {
			if name == entry || strings.HasSuffix(entry, ".") && strings.HasPrefix(name, entry) {
				return true
			}
		}
	}
	return false
}

// canonical turns a checkpoint's name into the one of [Params]: without the prefix that
// models with a head have, and with the LayerNorm names that PyTorch uses instead of
// TensorFlow's gamma and beta.
func canonical(c Config, name string) string {
	name = strings.TrimPrefix(name, c.Prefix())
	if base, ok := strings.CutSuffix(name, ".LayerNorm.gamma"); ok {
		return base + ".LayerNorm.weight"
	}
	if base, ok := strings.CutSuffix(name, ".LayerNorm.beta"); ok {
		return base + ".LayerNorm.bias"
	}
	return name
}
