package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/supermax-hpo/supermax/shared/study"
)

// restore measures how long it takes to have a study of 1,500 trials in memory again: ours
// from a compressed snapshot and the 50 events after it, the peer's from its journal.
func (b *bench) restore(ctx context.Context) error {
	const trials, tail, times = 1500, 50, 15
	packed, events, err := stored(ctx, trials, tail)
	if err != nil {
		return err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)) // the stores have one for all loads
	if err != nil {
		return err
	}
	defer decoder.Close()
	var ours []float64
	for range times {
		began := time.Now()
		if err := reopen(decoder, packed, events); err != nil {
			return err
		}
		ours = append(ours, time.Since(began).Seconds())
	}
	var p struct {
		Wall  []float64
		Bytes float64
	}
	if err := b.peer.measure(ctx, &p, "restore", single, trials, 5); err != nil {
		return err
	}
	o, peer := median(ours), median(p.Wall)
	b.line("search-restore-%d ours=%.4gms peer=%.4gms ratio=%.3g ours-size=%.0fKB peer-size=%.0fKB",
		trials, 1e3*o, 1e3*peer, peer/o, float64(len(packed))/1e3, p.Bytes/1e3)
	return nil
}

// stored runs a stage of so many trials, and returns its snapshot some events before the
// end, compressed as the stores keep it, and those events.
func stored(ctx context.Context, trials, tail int) (packed []byte, last [][]byte, err error) {
	events, err := played(ctx, trials)
	if err != nil {
		return nil, nil, err
	}
	state := new(study.State)
	for _, e := range events[:len(events)-tail] {
		if err := state.Apply(e); err != nil {
			return nil, nil, err
		}
	}
	snapshot, err := state.Snapshot()
	if err != nil {
		return nil, nil, err
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range events[len(events)-tail:] {
		data, err := json.Marshal(e)
		if err != nil {
			return nil, nil, err
		}
		last = append(last, data)
	}
	return encoder.EncodeAll(snapshot, nil), last, nil
}

// reopen makes the state of a snapshot and the events after it.
func reopen(decoder *zstd.Decoder, packed []byte, events [][]byte) error {
	snapshot, err := decoder.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	_, err = study.Load(nil, snapshot, events, int64(len(events)))
	return err
}
