package tokenizer

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// batchChunk is how many items a worker takes at a time.
const batchChunk = 64

// InputError is what is wrong with one input of several.
type InputError struct {
	Input int // its number from 0
	Err   error
}

func (e *InputError) Error() string { return fmt.Sprintf("input %d: %v", e.Input, e.Err) }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// EncodeBatch encodes inputs on all cores; encoding i belongs to input i. A text that
// stands in several inputs is cut only once. The error is an InputError for the first
// failing input and holds none of its text, or says what is wrong with o.
func (t *Tokenizer) EncodeBatch(inputs []Input, o Options) ([]Encoding, error) {
	if err := t.check(o); err != nil {
		return nil, err
	}
	index := make(map[string]int32, len(inputs))
	var texts []string
	number := func(text string) int32 {
		n, ok := index[text]
		if !ok {
			n = int32(len(texts))
			index[text] = n
			texts = append(texts, text)
		}
		return n
	}
	pairs := make([][2]int32, len(inputs))
	for i, in := range inputs {
		pairs[i] = [2]int32{number(in.A), -1}
		if in.B != "" {
			pairs[i][1] = number(in.B)
		}
	}

	cut := make([]pieces, len(texts))
	inParallel(len(texts), func(from, to int) {
		s := t.take()
		defer t.scratch.Put(s)
		for i := from; i < to; i++ {
			t.cut(&s.a, s, texts[i], o.IDsOnly)
			cut[i] = s.a.clone()
		}
	})

	encodings := make([]Encoding, len(inputs))
	var mu sync.Mutex
	failed, first := len(inputs), error(nil)
	inParallel(len(inputs), func(from, to int) {
		for i := from; i < to; i++ {
			var b *pieces
			if pairs[i][1] >= 0 {
				b = &cut[pairs[i][1]]
			}
			e, err := t.fit(&cut[pairs[i][0]], b, o)
			if err != nil {
				mu.Lock()
				if i < failed {
					failed, first = i, err
				}
				mu.Unlock()
				return
			}
			encodings[i] = e
		}
	})
	if first != nil {
		return nil, &InputError{failed, first}
	}
	return encodings, nil
}

// inParallel calls do for ranges that cover 0 to n, on all cores.
func inParallel(n int, do func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+batchChunk-1)/batchChunk)
	if workers <= 1 {
		do(0, n)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				from := int(next.Add(batchChunk)) - batchChunk
				if from >= n {
					return
				}
				do(from, min(from+batchChunk, n))
			}
		})
	}
	wg.Wait()
}
