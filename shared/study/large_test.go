package study

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// space20 has 20 parameters of every kind, ten of them continuous, as in the sampler's
// benchmarks.
func space20() *space.Space {
	var params []space.Param
	add := func(n int, p space.Param) {
		for range n {
			p.Name = fmt.Sprintf("group%d.param%d", len(params)/5, len(params))
			params = append(params, p)
		}
	}
	add(6, space.Param{Kind: space.FloatRange, Low: 0, High: 1})
	add(4, space.Param{Kind: space.FloatRange, Low: 1e-5, High: 1, Log: true})
	add(2, space.Param{Kind: space.FloatRange, Low: 0, High: 1, Step: 0.05})
	add(4, space.Param{Kind: space.IntRange, Low: 1, High: 32})
	add(1, space.Param{Kind: space.IntRange, Low: 1, High: 512, Log: true})
	add(3, space.Param{Kind: space.Categorical, Choices: []space.Value{space.String("a"), space.String("b"), space.String("c"), space.String("d")}})
	return &space.Space{Params: params}
}

// large returns a study whose stage (A or B) has so many trials, with the metrics, costs and
// times of a real one: nothing is round. It is made of events, as that many asks take long.
// The parameters are random; sampler is asked for the next.
func large(t testing.TB, stage protocol.Stage, sampler string, trials int) *simulation {
	settings := testSettings()
	settings.Space = space20()
	settings.A = SearchStage{Trials: 2 * trials, Rungs: Rungs{2, 20, 3}, Seeds: []int64{1, 2, 3}, Patience: 5, Sampler: sampler}
	settings.B = SearchStage{Trials: 2 * trials, Rungs: Rungs{3, 30, 3}, Seeds: []int64{1, 2, 3, 4}, Patience: 8, Sampler: sampler}
	m := newSimulation(t, settings)
	rng := rand.New(rand.NewPCG(1, 2))
	if stage == protocol.StageB {
		m.take([]Event{{Type: EventStageOpened, Stage: protocol.StageA, At: m.now, Limit: 1}}, nil)
		m.play(protocol.StageA, 0, rng)
		m.take([]Event{{Type: EventStageClosed, Stage: protocol.StageA, At: m.now, Trials: []int{0}}}, nil)
	}
	m.take([]Event{{Type: EventStageOpened, Stage: stage, At: m.now, Limit: trials + 100_000}}, nil)
	for m.state.started(m.state.openStage()) < trials {
		m.play(stage, m.state.trials.Len(), rng)
	}
	return m
}

// settle makes everything run that could be promoted, so that the next ask gets a new trial.
func (m *simulation) settle() {
	open := m.state.openStage()
	for rung := range m.state.plans[open].rungs(0) {
		for _, n := range m.state.indexes[open].results.Promotable(rung) {
			at := clean(m.now)
			m.take([]Event{{Type: EventPromoted, At: at, Trial: n, Rung: rung + 1},
				{Type: EventLeased, At: at, Trial: n, Slot: fmt.Sprint("p", n), Token: 1, Attempt: m.state.trials.At(n).Attempt + 1,
					Rung: rung + 1, LeaseUntil: m.state.leaseUntil(m.now)}}, nil)
		}
	}
}

// play starts a trial and trains it to a rung that one trial in three gets beyond.
func (m *simulation) play(stage protocol.Stage, number int, rng *rand.Rand) {
	history, err := sampler.NewHistory(sampler.Problem{Space: m.state.settings.Space,
		Directions: []sampler.Direction{sampler.Maximize}})
	if err != nil {
		m.t.Fatal(err)
	}
	params, err := sampler.Random{}.Suggest(history, rng)
	if err != nil {
		m.t.Fatal(err)
	}
	do := func(e Event) {
		m.now = m.now.Add(time.Duration(rng.ExpFloat64() * 5e9))
		e.Version, e.At, e.Trial = EventVersion, clean(m.now), number
		m.take([]Event{e}, nil)
	}
	do(Event{Type: EventTrialCreated, Stage: stage, Params: params})
	p := m.state.planOf(m.state.trials.At(number))
	slot := fmt.Sprintf("6f3c1a52-0b7e-4d5e-9a51-2f1f6b3d8e90:%d/1", number%100)
	for rung, to := range p.rungs(0) {
		if rung > 0 {
			do(Event{Type: EventPromoted, Rung: rung})
		}
		do(Event{Type: EventLeased, Slot: slot, Token: int64(number) + 1, Attempt: rung, Rung: rung, LeaseUntil: m.state.leaseUntil(m.now)})
		seeds := make([]SeedBest, len(p.seeds))
		for i, seed := range p.seeds {
			seeds[i] = SeedBest{Seed: seed, Last: to, Epoch: 1 + rng.IntN(to), F1Macro: rng.Float64(), ECE: 0.25 * rng.Float64()}
		}
		value := meanOf(seeds)
		do(Event{Type: EventReported, Attempt: rung, Rung: rung, Value: &value, Seeds: seeds, Final: rung == p.last(0),
			CostSeconds:     math.Round(1e9*float64(to)*(20+10*rng.Float64())) / 1e9,
			PeakMemoryBytes: int64(4e9 + 1e10*rng.Float64())})
		if rng.IntN(3) > 0 {
			return
		}
	}
}

// A stage B of 1,500 trials is one item of the table.
func TestSnapshotSize(t *testing.T) {
	data, err := large(t, protocol.StageB, "nsga2", 1500).state.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := len(encoder.EncodeAll(data, nil))
	t.Logf("%d bytes, %d with zstd", len(data), packed)
	if packed > 300_000 {
		t.Errorf("the snapshot has %d bytes with zstd, want at most 300,000", packed)
	}
}

// What a process does that loads such a stage: it reads the snapshot and folds the fifty
// events that came after, as JSON.
func BenchmarkRestore1500(b *testing.B) {
	m := large(b, protocol.StageB, "nsga2", 1500)
	const after = 50
	folded, err := fold(m.events[:len(m.events)-after])
	if err != nil {
		b.Fatal(err)
	}
	data, err := folded.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	tail := make([][]byte, after)
	for i, e := range m.events[len(m.events)-after:] {
		if tail[i], err = json.Marshal(e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := Restore(data)
		if err != nil {
			b.Fatal(err)
		}
		for _, data := range tail {
			var e Event
			if err := json.Unmarshal(data, &e); err != nil {
				b.Fatal(err)
			}
			if err := s.Apply(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSnapshot1500(b *testing.B) {
	s := large(b, protocol.StageB, "nsga2", 1500).state
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Snapshot(); err != nil {
			b.Fatal(err)
		}
	}
}

// What one ask for a new trial costs late in a large stage.
func BenchmarkAsk(b *testing.B) {
	for _, c := range []struct {
		stage   protocol.Stage
		sampler string
		trials  int
	}{
		{protocol.StageA, "random", 1000}, {protocol.StageA, "tpe", 1000},
		{protocol.StageB, "nsga2", 1000}, {protocol.StageB, "tpe", 1000},
		{protocol.StageA, "random", 10000}, {protocol.StageA, "tpe", 10000}, {protocol.StageB, "nsga2", 10000},
	} {
		b.Run(fmt.Sprintf("%s/%d", c.sampler, c.trials), func(b *testing.B) {
			m := large(b, c.stage, c.sampler, c.trials)
			m.settle()
			slot := 0
			b.ReportAllocs()
			for b.Loop() {
				slot++
				reply, _, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: c.stage, Slot: fmt.Sprint(slot), Token: 1})
				if err != nil || reply.Work == nil || reply.Work.Rung > 0 {
					b.Fatal(reply, err)
				}
			}
		})
	}
}

// What one report costs there, with the decision whether its trial goes on.
func BenchmarkTell(b *testing.B) {
	for _, stage := range []protocol.Stage{protocol.StageA, protocol.StageB} {
		b.Run(string(stage), func(b *testing.B) {
			m := large(b, stage, "random", 1000)
			m.settle()
			req := protocol.AskRequest{Study: "s", Stage: stage, Slot: "new", Token: 1} // a new trial
			reply, events, err := m.state.Ask(m.now, req)
			m.take(events, err)
			tell := protocol.TellRequest{Study: "s", Trial: reply.Work.Trial, Attempt: reply.Work.Attempt, Rung: reply.Work.Rung}
			for _, seed := range reply.Work.Seeds {
				for epoch := reply.Work.FromEpoch + 1; epoch <= reply.Work.ToEpoch; epoch++ {
					tell.Outcome.Epochs = append(tell.Outcome.Epochs, epochOf(seed, epoch, 0.1, 0.9))
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := m.state.Tell(m.now, tell); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// crowded returns a stage with so many trials of which the last ones run, each in a slot.
func crowded(t testing.TB, trials, running int) *simulation {
	m := large(t, protocol.StageA, "random", trials-running)
	m.settle()
	for slot := range running {
		_, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: fmt.Sprint("slot-", slot), Token: 1})
		m.take(events, err)
	}
	return m
}

// round is what one slot does between two works: it tells a report and asks again.
func (m *simulation) round(slot string, token int64, rng *rand.Rand) {
	if m.tell(slot, rng).Kind == protocol.TellContinue {
		return
	}
	_, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: slot, Token: token})
	m.take(events, err)
}

// tell reports what the slot trains, with numbers that are not round.
func (m *simulation) tell(slot string, rng *rand.Rand) protocol.TellReply {
	t := m.state.trials.At(m.state.slots.get(slot).Trial)
	if t.Lease == nil {
		m.t.Fatalf("slot %s holds nothing", slot)
	}
	m.now = m.now.Add(time.Millisecond)
	p := m.state.planOf(t)
	from, to := p.rungs(t.Number).Span(t.Rung)
	req := protocol.TellRequest{Study: "s", Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung}
	req.Outcome.CostSeconds = 100 * rng.Float64()
	for i, seed := range p.seeds {
		best := SeedBest{Seed: seed}
		if len(t.Seeds) > 0 {
			best = t.Seeds[i]
		}
		for epoch := from + 1; epoch <= to && !best.Stopped(p.patience); epoch++ {
			e := epochOf(seed, epoch, float64(epoch)/100+rng.Float64()/2, rng.Float64()/4)
			best = best.Seen(epoch, e.F1Macro, e.ECE)
			req.Outcome.Epochs = append(req.Outcome.Epochs, e)
		}
	}
	reply, events, err := m.state.Tell(m.now, req)
	m.take(events, err)
	return reply
}

// What a report and the next work cost together, their events folded, where a hundred
// thousand trials were started and ten thousand slots are at work.
func BenchmarkRound100000(b *testing.B) {
	const slots = 10_000
	m := crowded(b, 100_000, slots)
	m.events = nil
	rng := rand.New(rand.NewPCG(3, 4))
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		m.round(fmt.Sprint("slot-", n%slots), int64(2+n/slots), rng)
		n++
	}
}
