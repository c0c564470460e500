package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/searchbench"
)

// The functions that time is measured on: one objective and two over the same 20 parameters.
const (
	single  = "speed20"
	several = "speed20bi"
)

// taken is what something took, in seconds: of the clock, and of all of the process's cores.
type taken struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

// stopwatch measures what f takes.
func stopwatch(f func() error) (taken, error) {
	cpu := func() float64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for this process
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	began, before := time.Now(), cpu()
	err := f()
	return taken{time.Since(began).Seconds(), cpu() - before}, err
}

// paired measures ours three times, the peer, and ours twice more; it returns our median.
func paired(ours func() (taken, error), peer func() (taken, error)) (o, p taken, err error) {
	var walls, cpus []float64
	for i := range 5 {
		if i == 3 {
			if p, err = peer(); err != nil {
				return o, p, err
			}
		}
		t, err := ours()
		if err != nil {
			return o, p, err
		}
		walls, cpus = append(walls, t.Wall), append(cpus, t.CPU)
	}
	return taken{median(walls), median(cpus)}, p, nil
}

func median(values []float64) float64 { return searchbench.QuartilesOf(values).Median }

// speed measures whole searches: so many trials asked for and told, one after the other.
func (b *bench) speed(ctx context.Context) error {
	for _, c := range []struct {
		label, function, sampler string
		trials                   int
	}{
		{"search-speed-200", single, sampler.NameTPE, 200},
		{"search-speed-1000", single, sampler.NameTPE, 1000},
		{"search-speed-2000", single, sampler.NameTPE, 2000},
		{"search-speed-nsga2-2000", several, sampler.NameNSGA2, 2000},
	} {
		f, err := functions.ByName(c.function)
		if err != nil {
			return err
		}
		o, p, err := paired(func() (taken, error) {
			return stopwatch(func() error {
				_, err := searchbench.Search(ctx, f, c.sampler, 0, c.trials, 1)
				return err
			})
		}, func() (p taken, err error) {
			return p, b.peer.measure(ctx, &p, "speed", c.function, c.sampler, c.trials)
		})
		if err != nil {
			return err
		}
		b.line("%s ours=%.4gs peer=%.4gs ratio=%.3g ours-cpu=%.4gs peer-cpu=%.4gs cpu-ratio=%.3g",
			c.label, o.Wall, p.Wall, p.Wall/o.Wall, o.CPU, p.CPU, p.CPU/o.CPU)
	}
	return nil
}

// late measures single asks and trials after many others, which lie at random points.
func (b *bench) late(ctx context.Context) error {
	for _, c := range []struct{ trials, ours, peer int }{{1000, 500, 30}, {10000, 200, 10}} {
		var p struct{ Ask, Trial []float64 }
		ask, trial, err := ownLate(c.trials, c.ours)
		if err != nil {
			return err
		}
		if err := b.peer.measure(ctx, &p, "late", single, sampler.NameTPE, c.trials, c.peer); err != nil {
			return err
		}
		ours, theirs := p99(ask), p99(p.Ask)
		b.line("search-ask-p99-%d ours=%.4gms peer=%.4gms ratio=%.3g", c.trials, 1e3*ours, 1e3*theirs, theirs/ours)
		asks, err := studyAsks(ctx, c.trials, c.ours)
		if err != nil {
			return err
		}
		whole := p99(asks)
		b.line("search-study-ask-p99-%d ours=%.4gms peer=%.4gms ratio=%.3g", c.trials, 1e3*whole, 1e3*theirs, theirs/whole)
		if c.trials == 10000 {
			om, pm := median(trial), median(p.Trial)
			b.line("search-speed-%d ours=%.4gms peer=%.4gms ratio=%.3g each=trial", c.trials, 1e3*om, 1e3*pm, pm/om)
		}
	}
	return nil
}

// p99 is the least value that 99 in a hundred are below.
func p99(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*99/100, len(sorted)-1)]
}

// ownLate returns the seconds of that many asks, and of each with its tell, after so many
// trials at random points.
func ownLate(trials, times int) (ask, trial []float64, err error) {
	s, err := filled(trials)
	if err != nil {
		return nil, nil, err
	}
	for i := range times {
		began := time.Now()
		if err := s.Ask(); err != nil {
			return nil, nil, err
		}
		ask = append(ask, time.Since(began).Seconds())
		if _, err := s.Tell(trials + i); err != nil {
			return nil, nil, err
		}
		trial = append(trial, time.Since(began).Seconds())
	}
	return ask, trial, nil
}

// filled returns a searcher by TPE that knows that many trials at random points.
func filled(trials int) (*searchbench.Searcher, error) {
	f, err := functions.ByName(single)
	if err != nil {
		return nil, err
	}
	s, err := searchbench.NewSearcher(f, sampler.NameTPE, 0)
	if err != nil {
		return nil, err
	}
	return s, s.Fill(trials)
}

// memory measures the most memory that a process holds with 10,000 trials and one ask.
func (b *bench) memory(ctx context.Context) error {
	const trials = 10000
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, self, "-memory", fmt.Sprint(trials)).Output()
	if err != nil {
		return fmt.Errorf("measure our memory: %w", err)
	}
	var ours float64
	if _, err := fmt.Sscan(string(out), &ours); err != nil {
		return fmt.Errorf("measure our memory: %w", err)
	}
	var p struct{ Bytes float64 }
	if err := b.peer.measure(ctx, &p, "memory", single, sampler.NameTPE, trials); err != nil {
		return err
	}
	b.line("search-memory-%d ours=%.1fMB peer=%.1fMB ratio=%.3g", trials, ours/1e6, p.Bytes/1e6, p.Bytes/ours)
	return nil
}

// ownMemory prints the most memory that this process ever held, in bytes.
func ownMemory(trials int) error {
	s, err := filled(trials)
	if err != nil {
		return err
	}
	if err := s.Ask(); err != nil {
		return err
	}
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return err
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kilobytes float64
			if _, err := fmt.Sscan(text, &kilobytes); err != nil {
				return err
			}
			fmt.Println(1024 * kilobytes)
			return nil
		}
	}
	return errors.New("/proc/self/status does not say VmHWM")
}
