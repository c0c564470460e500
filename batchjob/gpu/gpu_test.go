package gpu

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// library compiles a driver's library from C.
func library(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	if out, err := exec.CommandContext(t.Context(), compiler, "-shared", "-fPIC", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", source, err, out)
	}
	return path
}

func TestMeter(t *testing.T) {
	path := library(t, "testdata/driver.c")
	for _, tt := range []struct {
		device, visible string
		want            float64
		problem         string
	}{
		{"cuda:0", "", 40, ""}, {"cuda:3", "", 43, ""}, {"cuda:0", "2", 42, ""}, {"cuda:1", "2, 5", 45, ""}, {"cuda:1", "2,GPU-12ab", 99, ""},
		{"cuda:2", "2,5", 0, "CUDA_VISIBLE_DEVICES names 2 GPUs"}, {"cuda:0", "GPU-none", 0, "Not Found"},
		{"cuda:10", "", 0, "Invalid Argument"}, {"cpu", "", 0, "it is no GPU"},
	} {
		m, err := open(path, tt.device, tt.visible)
		if tt.problem != "" {
			if err == nil || err.Error() != "find "+tt.device+" with NVML: "+tt.problem {
				t.Errorf("%s of %q: %v, want %s", tt.device, tt.visible, err, tt.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %q: %v", tt.device, tt.visible, err)
			continue
		}
		if got, err := m.Utilization(); got != tt.want || err != nil {
			t.Errorf("%s of %q: %v %%, %v; want %v", tt.device, tt.visible, got, err, tt.want)
		}
		m.Close()
	}
	lost, err := open(path, "cuda:9", "")
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	if _, err := lost.Utilization(); err == nil || err.Error() != "read the GPU's utilization: GPU is lost" {
		t.Errorf("a GPU that is lost: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := open("libnvidia-ml-is-not-here.so", "cuda:0", ""); err == nil || err.Error() != "load NVML: libnvidia-ml-is-not-here.so is not there" {
		t.Errorf("without a library: %v", err)
	}
	old := filepath.Join(t.TempDir(), "old.c")
	if err := os.WriteFile(old, []byte("int nvmlInit_v2(void) { return 0; }\nint nvmlShutdown(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(library(t, old), "cuda:0", ""); err == nil || err.Error() != "load NVML: nvmlDeviceGetHandleByIndex_v2 is not there" {
		t.Errorf("of a library that lacks a function: %v", err)
	}
	t.Setenv("SUPERMAX_TEST_DRIVER", "broken")
	if _, err := open(library(t, "testdata/driver.c"), "cuda:0", ""); err == nil || err.Error() != "start NVML: Driver Not Loaded" {
		t.Errorf("without a driver: %v", err)
	}
}

// On a machine with a GPU its driver answers; elsewhere the reason is one sentence.
func TestThisMachine(t *testing.T) {
	m, err := Open("cuda:0", os.Getenv("CUDA_VISIBLE_DEVICES"))
	if err != nil {
		if strings.ContainsRune(err.Error(), '\n') || !strings.Contains(err.Error(), "NVML") {
			t.Errorf("%q is not one sentence about NVML", err)
		}
		t.Skip(err)
	}
	defer m.Close()
	if got, err := m.Utilization(); err != nil || got < 0 || got > 100 {
		t.Errorf("%v %%, %v", got, err)
	}
}

func TestSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+5*time.Second)
		defer cancel()
		reads := 0
		var means []float64
		var log bytes.Buffer
		Sample(ctx, func() (float64, error) {
			reads++
			switch {
			case reads <= 6: // 10, 20, … 60
				return float64(10 * reads), nil
			case reads > 8 && reads <= 18:
				return 0, errors.New("lost")
			}
			return 90, nil
		}, func(percent float64) { means = append(means, percent) }, slog.New(slog.NewJSONHandler(&log, nil)))
		// (10+…+60)/6; two readings of six; none; all.
		if d := cmp.Diff([]float64{35, 90, 90}, means); d != "" || reads != 24 {
			t.Errorf("%d readings, means -want +got\n%s", reads, d)
		}
		if n := strings.Count(log.String(), "not measured"); n != 1 {
			t.Errorf("said %d times that it is not measured:\n%s", n, &log)
		}
	})
}
