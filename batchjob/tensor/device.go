package tensor

import (
	"fmt"
	"strconv"
	"strings"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// device is a device's number in libtch: cpuDevice, or the CUDA device's index.
type device int32

const cpuDevice device = -1

// openDevice returns the device of that name: "cpu" or "cuda:N" ("cuda" is "cuda:0").
// A name of another form, and a CUDA device that this machine or this build lacks, are a
// [DeviceError].
func openDevice(name string) (device, error) {
	if name == "cpu" {
		return cpuDevice, nil
	}
	index, isCUDA := 0, name == "cuda"
	if digits, ok := strings.CutPrefix(name, "cuda:"); ok {
		n, err := strconv.ParseUint(digits, 10, 8)
		index, isCUDA = int(n), err == nil
	}
	if !isCUDA {
		return 0, &DeviceError{name, "no such device, allowed are cpu and cuda:N"}
	}
	if !kernels.CUDAAvailable() {
		return 0, &DeviceError{name, "CUDA is not available: there is no GPU, no driver, or libtorch was built without CUDA"}
	}
	if n := int(lib.AtcCudaDeviceCount()); index >= n {
		return 0, &DeviceError{name, fmt.Sprintf("there are only %d CUDA devices", n)}
	}
	return device(index), nil
}

func (d device) String() string {
	if d == cpuDevice {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", int32(d))
}
