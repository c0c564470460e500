package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// bench measures one family after the other.
type bench struct {
	python, program string
	texts           []string
	passes          int
	line            func(format string, a ...any)
}

// family measures the tokenizer of a folder on one thread and on two, with places and without.
func (b *bench) family(ctx context.Context, dir string) error {
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return err
	}
	inputs := make([]tokenizer.Input, len(b.texts))
	for i, text := range b.texts {
		inputs[i].A = text
	}
	path, err := b.writeTexts()
	if err != nil {
		return err
	}
	defer os.Remove(path)
	for _, threads := range []int{1, 2} {
		if err := b.threads(ctx, tok, inputs, dir, path, threads); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) threads(ctx context.Context, tok *tokenizer.Tokenizer, inputs []tokenizer.Input, dir, texts string, threads int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	p, err := startPeer(ctx, b.python, b.program, filepath.Join(dir, "tokenizer.json"), texts, threads)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := sameOutcome(p, tok, inputs); err != nil {
		return err
	}
	for _, mode := range []struct {
		word, label string
		o           tokenizer.Options
	}{{"offsets", "", tokenizer.Options{}}, {"ids", "ids-", tokenizer.Options{IDsOnly: true}}} {
		var ours, peers []float64
		for pass := range b.passes + 1 { // the first warms both up
			began := time.Now()
			if _, err := tok.EncodeBatch(inputs, mode.o); err != nil {
				return err
			}
			own := time.Since(began).Seconds()
			a, err := p.ask(mode.word)
			if err != nil {
				return err
			}
			if pass > 0 {
				ours, peers = append(ours, own), append(peers, a.Seconds)
			}
		}
		o, t := median(ours), median(peers)
		b.line("tokenizers-%s-%s%dthread%s ours=%.3fs peer=%.3fs ratio=%.2f", filepath.Base(dir), mode.label, threads,
			map[bool]string{true: "s"}[threads > 1], o, t, t/o)
	}
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// sameOutcome checks that both encode all inputs to the same ids, type ids, masks and places.
func sameOutcome(p *peer, tok *tokenizer.Tokenizer, inputs []tokenizer.Input) error {
	a, err := p.ask("digest")
	if err != nil {
		return err
	}
	encodings, err := tok.EncodeBatch(inputs, tokenizer.Options{})
	if err != nil {
		return err
	}
	h := sha256.New()
	var buffer []byte
	tokens := 0
	for _, e := range encodings {
		buffer = buffer[:0]
		for _, numbers := range [][]int32{e.IDs, e.TypeIDs, e.Mask} {
			for _, n := range numbers {
				buffer = binary.LittleEndian.AppendUint32(buffer, uint32(n))
			}
		}
		for _, at := range e.Offsets {
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(at[0]))
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(at[1]))
		}
		_, _ = h.Write(buffer) // a hash never fails
		tokens += len(e.IDs)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != a.Digest {
		return fmt.Errorf("the outcomes differ: %d tokens here, %d there", tokens, a.Tokens)
	}
	return nil
}

// writeTexts writes the posts for the peer.
func (b *bench) writeTexts() (string, error) {
	f, err := os.CreateTemp("", "posts-*.json")
	if err != nil {
		return "", err
	}
	err = json.NewEncoder(f).Encode(b.texts)
	if e := f.Close(); err == nil {
		err = e
	}
	return f.Name(), err
}
