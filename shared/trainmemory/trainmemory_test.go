package trainmemory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var base = Model{Type: "bert", Parameters: 109_482_240, Layers: 12, Hidden: 768, Intermediate: 3072, Heads: 12}

func TestOf(t *testing.T) {
	const token = 768
	tests := []struct {
		name  string
		model func(*Model)
		step  Step
		want  Need
	}{
		// Korthikanti et al. 2022: 34 × hidden bytes a token and layer in 16 bits.
		{"mixed", nil, Step{Batch: 2, Length: 10, Mixed: true}, Need{
			State: 18 * 109_482_240, Activations: 20 * (3*2*token + 12*34*token), Working: 20 * 2 * 3072 * 2, Fixed: 1 << 30}},
		{"float32", nil, Step{Batch: 1, Length: 1}, Need{
			State: 16 * 109_482_240, Activations: 3*4*token + 12*66*token, Working: 2 * 3072 * 4, Fixed: 1 << 30}},
		{"checkpointing", nil, Step{Batch: 1, Length: 1, Checkpointing: true}, Need{
			State: 16 * 109_482_240, Activations: 3*4*token + 12*4*token, Working: 2*3072*4 + 66*token, Fixed: 1 << 30}},
		{"scores", func(m *Model) { m.Type, m.Layers = "xlnet", 1 }, Step{Batch: 3, Length: 5}, Need{
			State: 16 * 109_482_240, Activations: 15*(3*4*token+66*token) + 3*12*25*9, Working: 15*2*3072*4 + 3*12*25*12, Fixed: 1 << 30}},
		{"relative keys", func(m *Model) { m.Relative, m.Layers = true, 1 }, Step{Batch: 3, Length: 5}, Need{
			State: 16 * 109_482_240, Activations: 15*(3*4*token+66*token) + 3*12*25*9, Working: 15*2*3072*4 + 3*12*25*12, Fixed: 1 << 30}},
		{"convolution", func(m *Model) { m.Type, m.Layers, m.ConvKernel = "convbert", 1, 9 }, Step{Batch: 1, Length: 1}, Need{
			State: 16 * 109_482_240, Activations: 3*4*token + 66*token + (13*384+9*12)*4, Working: 2 * 3072 * 4, Fixed: 1 << 30}},
	}
	for _, tt := range tests {
		m := base
		if tt.model != nil {
			tt.model(&m)
		}
		if got := Of(m, tt.step); got != tt.want || got.Total() != got.State+got.Activations+got.Working+got.Fixed {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// The largest batch fits and eight more do not.
func TestLargestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := base
		m.Type = rapid.SampledFrom([]string{"bert", "deberta-v2", "convbert"}).Draw(t, "type")
		step := Step{
			Length:        rapid.IntRange(1, 2048).Draw(t, "length"),
			Checkpointing: rapid.Bool().Draw(t, "checkpointing"), Mixed: rapid.Bool().Draw(t, "mixed"),
		}
		gigabytes := rapid.IntRange(1, 80).Draw(t, "gigabytes")
		fits := func(batch int) bool {
			step.Batch = batch
			return Of(m, step).Total() <= int64(gigabytes)*900_000_000
		}
		batch := LargestBatch(m, step, gigabytes)
		if batch > 0 && !fits(batch) || fits(batch+8) || batch < 8 && fits(batch+1) || batch > 8 && batch%8 != 0 {
			t.Errorf("%d", batch)
		}
	})
}

func TestCheck(t *testing.T) {
	if err := Check(base, Step{Batch: 8, Length: 512}); err != nil {
		t.Error(err)
	}
	for want, step := range map[string]Step{"batch size is 0, allowed is 1 to 65536": {Length: 1}, "length is -1": {Batch: 1, Length: -1}} {
		if err := Check(base, step); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := Check(Model{}, Step{Batch: 1, Length: 1}); err == nil || !strings.Contains(err.Error(), "layers is 0") {
		t.Errorf("got %v", err)
	}
}
