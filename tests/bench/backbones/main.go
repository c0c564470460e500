// Command backbones measures forward and backward passes of our encoders and of Hugging
// Face's on PyTorch, in turn and in one run, and prints a line for each figure:
//
//	bench backbone-base-128 ours=4.1s peer=5.0s ratio=1.22 attention=eager
//
// The peer's figure is the better of PyTorch's scaled dot product attention and the eager one.
// `make bench-backbones` gives it a Python that has the packages of requirements.txt. Nothing
// else should run meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/tests/bench/internal/command"
)

func main() { command.Main("bench-backbones", run) }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("backbones", flag.ContinueOnError)
	part := flags.String("part", "all", "small, base, types, memory or all")
	p := peer{}
	flags.StringVar(&p.python, "python", "", "a Python that has requirements.txt")
	flags.StringVar(&p.program, "peer", "tests/bench/backbones/peer.py", "what it runs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if p.python == "" {
		return errors.New("-python is missing: a Python that has the packages of requirements.txt")
	}
	parts := map[string][]string{"small": {"small"}, "base": {"base"}, "types": {"types"}, "memory": {"memory"}, "all": {"small", "base", "types", "memory"}}
	list, ok := parts[*part]
	if !ok {
		return fmt.Errorf("-part %q is not allowed; allowed: small, base, types, memory, all", *part)
	}
	for _, name := range list {
		if name == "memory" {
			if err := memory(ctx); err != nil {
				return err
			}
			continue
		}
		for _, c := range cases()[name] {
			if err := c.compare(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// A benchCase is a model and the batches that it reads.
type benchCase struct {
	label   string
	config  pretrained.Config
	peers   []string    // the attentions that the peer has for it
	batches [][][]int32 // rows of token ids
	threads int         // of ours; the peer has both cores
	rounds  int         // how often all batches are read; the first time does not count
}

// cases are the models by part: 98 thousand and a million parameters with rows of the lengths
// that posts have (51 tokens on average); BERT's base size with full rows; and the other
// architectures with four layers of width 128.
func cases() map[string][]benchCase {
	sized := func(name string, hidden, layers, intermediate int) pretrained.Config {
		return pretrained.Sized(name, pretrained.Sizes{Vocabulary: 1200, Hidden: hidden, Layers: layers, Heads: 4, Intermediate: intermediate, Positions: 128})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	natural := func() int { return 12 + int(min(116, rng.ExpFloat64()*40)) }
	full := func(n int) func() int { return func() int { return n } }
	both := []string{"sdpa", "eager"}
	list := map[string][]benchCase{
		"small": {
			{"98k", sized(pretrained.ModelTypeBERT, 48, 2, 64), both, rows(rng, 20, 16, 1200, natural), 1, 6},
			{"1m", sized(pretrained.ModelTypeBERT, 128, 4, 512), both, rows(rng, 20, 16, 1200, natural), 1, 4},
		},
		"base": {
			{"base-128", pretrained.DefaultConfig(), both, rows(rng, 1, 8, 30522, full(128)), 2, 4},
			{"base-384", pretrained.DefaultConfig(), both, rows(rng, 1, 8, 30522, full(384)), 2, 3},
		},
	}
	for _, name := range pretrained.ModelTypes() {
		attentions := both
		switch name {
		case pretrained.ModelTypeBERT:
			continue
		case pretrained.ModelTypeConvBERT, pretrained.ModelTypeDeBERTaV2, pretrained.ModelTypeELECTRA, pretrained.ModelTypeXLNet:
			attentions = []string{"eager"}
		}
		list["types"] = append(list["types"], benchCase{name, sized(name, 128, 4, 512), attentions, rows(rng, 20, 16, 1200, natural), 1, 3})
	}
	return list
}

// rows draws so many batches of so many rows.
func rows(rng *rand.Rand, batches, size, vocabulary int, length func() int) [][][]int32 {
	list := make([][][]int32, batches)
	for b := range list {
		for range size {
			ids := make([]int32, length())
			for i := range ids {
				ids[i] = int32(5 + rng.IntN(vocabulary-5))
			}
			list[b] = append(list[b], ids)
		}
	}
	return list
}

// compare measures ours, the peer with either attention, and ours again.
func (c benchCase) compare(ctx context.Context, p peer) error {
	before, err := c.ours(ctx)
	if err != nil {
		return err
	}
	best, attention := 0.0, ""
	for _, name := range c.peers {
		seconds, err := p.measure(ctx, c, name)
		if err != nil {
			return err
		}
		if took := median(seconds); attention == "" || took < best {
			best, attention = took, name
		}
	}
	after, err := c.ours(ctx)
	if err != nil {
		return err
	}
	ours := median(append(before, after...))
	samples := float64(len(c.batches[0]))
	fmt.Printf("bench backbone-%s ours=%.4gs peer=%.4gs ratio=%.3g attention=%s ours-samples=%.4g/s peer-samples=%.4g/s threads=%d\n",
		c.label, ours, best, best/ours, attention, samples/ours, samples/best, c.threads)
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
