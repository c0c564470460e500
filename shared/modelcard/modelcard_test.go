package modelcard

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
)

var update = flag.Bool("update", false, "write the cards into docs/architectures.md")

func cards(t *testing.T) []*Card {
	t.Helper()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// There is a card for each backbone of the search space, and for no other.
func TestCardsAreThoseOfTheSpace(t *testing.T) {
	s, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, p := range s.Params {
		if p.Name == "model.name" {
			for _, v := range p.Choices {
				want = append(want, v.String())
			}
		}
		if p.Name == "optim.name" {
			for _, v := range p.Choices {
				if !slices.Contains(optimizers, v.String()) {
					t.Errorf("no note may be about %s", v)
				}
			}
		}
	}
	for _, c := range cards(t) {
		got = append(got, c.Name)
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-space +cards\n%s", d)
	}
}

// The largest batches are what the formula gives, and checkpointing is the default where 16
// rows of 512 tokens do not fit 16 GB without.
func TestCardsFollowTheFormula(t *testing.T) {
	for _, c := range cards(t) {
		for checkpointing, batches := range map[bool]map[int]map[int]int{false: c.LargestBatch.Plain, true: c.LargestBatch.Checkpointing} {
			for _, gigabytes := range Cards {
				for _, length := range Lengths {
					step := trainmemory.Step{Length: length, Checkpointing: checkpointing}
					if got, want := batches[gigabytes][length], trainmemory.LargestBatch(c.Memory(), step, gigabytes); got != want {
						t.Errorf("%s, %d GB, length %d, checkpointing %v: %d rows, the formula says %d", c.Name, gigabytes, length, checkpointing, got, want)
					}
				}
			}
		}
		if want := c.LargestBatch.Plain[16][512] < 16; c.Checkpointing != want {
			t.Errorf("%s: gradient_checkpointing is %v", c.Name, c.Checkpointing)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	good, err := configs.Models.ReadFile("model/bert-base-uncased.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, to, want string }{
		{"version: 1", "version: 2", "version is 2, known is 1"},
		{"name: bert-base-uncased", "name: bert", "the file's name must be bert.yaml"},
		{"layers: 12", "layers: 0", "layers is 0, allowed is 1 to 1024"},
		{"heads: 12", "heads: 13", "hidden_size 768 is not a multiple of heads 13"},
		{"model_type: bert\n", "model_type: \"\"\n", "model_type and paper must be given"},
		{"weights: safetensors", "weights: onnx", `weights is "onnx"`},
		{"    16: {128:", "    17: {128:", "16 GB: it has 0 lengths"},
		{"    16: {128:", "    18: {1: 2}\n    16: {128:", "it has 4 cards"},
		{"{128: ", "{127: ", "16 GB, length 128: a batch size"},
		{"  adamw:", "  sgd:", "optimizers.sgd is not one line about one of adamw"},
		{"parameters: 109482240", "parameters: -1", "parameters is -1"},
		{"parameters:", "params:", "params"},
	} {
		bad := strings.Replace(string(good), tt.from, tt.to, 1)
		_, err := load(fstest.MapFS{"model/bert-base-uncased.yaml": {Data: []byte(bad)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "configs/model/bert-base-uncased.yaml") {
			t.Errorf("%s: got %v, want …%s…", tt.to, err, tt.want)
		}
	}
	if _, err := load(fstest.MapFS{}); err == nil {
		t.Error("no cards at all")
	}
	if _, err := load(fstest.MapFS{"model/x.yaml/y": {}}); err == nil {
		t.Error("a folder is no card")
	}
}

// docs/architectures.md prints the cards; with -update it is written.
func TestTheDocAgrees(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "architectures.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- cards: from configs/model, by go test ./shared/modelcard -update -->\n", "<!-- end of cards -->\n"
	head, rest, ok := strings.Cut(string(doc), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has lost its marks", path)
	}
	want := head + begin + markdown(cards(t)) + end + tail
	if want == string(doc) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from configs/model: go test ./shared/modelcard -update writes it\n%s", path, cmp.Diff(string(doc), want))
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// markdown prints the cards as tables.
func markdown(all []*Card) string {
	var b bytes.Buffer
	b.WriteString("\n| backbone | type | parameters | layers | hidden | heads | longest input | weights on the hub | checkpointing |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range all {
		longest := "any"
		if c.MaxPositions > 0 {
			longest = fmt.Sprint(c.MaxPositions)
		}
		weights := "`model.safetensors`"
		if c.Weights == PyTorch {
			weights = "`pytorch_model.bin`"
		}
		checkpointing := "off"
		if c.Checkpointing {
			checkpointing = "on"
		}
		fmt.Fprintf(&b, "| %s | %s | %.1f M | %d | %d | %d | %s | %s | %s |\n", c.Name, c.ModelType, float64(c.Parameters)/1e6, c.Layers, c.HiddenSize, c.Heads, longest, weights, checkpointing)
	}
	for _, part := range []struct {
		title   string
		batches func(*Card) map[int]map[int]int
	}{
		{"Largest batch without gradient checkpointing, at 128 / 256 / 384 / 512 tokens", func(c *Card) map[int]map[int]int { return c.LargestBatch.Plain }},
		{"Largest batch with gradient checkpointing", func(c *Card) map[int]map[int]int { return c.LargestBatch.Checkpointing }},
	} {
		fmt.Fprintf(&b, "\n%s:\n\n| backbone |", part.title)
		for _, gigabytes := range Cards {
			fmt.Fprintf(&b, " %d GB |", gigabytes)
		}
		b.WriteString("\n|" + strings.Repeat(" --- |", 1+len(Cards)) + "\n")
		for _, c := range all {
			fmt.Fprintf(&b, "| %s |", c.Name)
			for _, gigabytes := range Cards {
				var rows []string
				for _, length := range Lengths {
					rows = append(rows, fmt.Sprint(part.batches(c)[gigabytes][length]))
				}
				fmt.Fprintf(&b, " %s |", strings.Join(rows, " / "))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n| backbone | optimizer | what is known |\n| --- | --- | --- |\n")
	for _, c := range all {
		for _, name := range optimizers {
			if note := c.Optimizers[name]; note != "" {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, name, note)
			}
		}
	}
	b.WriteString("\nPapers:\n\n")
	for _, c := range all {
		fmt.Fprintf(&b, "- %s: %s\n", c.Name, c.Paper)
	}
	b.WriteString("\n")
	return b.String()
}
