"""One of two processes of a distributed training: prints the hash of the weights, and of a rounded product."""

import hashlib
import sys

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import lowtide_torch as lt

rank, port = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
lt.quantize_(network, lt.BFP(activations=lt.Stochastic()), engine=lt.Engine(verify=1))
parallel = DistributedDataParallel(network)
x = torch.randn(2, 8, 16)
for _ in range(2):
    parallel.zero_grad()
    parallel(x[rank]).square().mean().backward()
    with torch.no_grad():  # an optimizer of PyTorch would import its compiler, which takes seconds
        for parameter in parallel.parameters():
            assert parameter.grad is not None
            parameter.sub_(parameter.grad, alpha=0.1)
rounded = network(x[0]).detach()
weights = b"".join(parameter.detach().numpy().tobytes() for parameter in network.parameters())
print(hashlib.sha256(weights).hexdigest(), hashlib.sha256(rounded.numpy().tobytes()).hexdigest())
distributed.destroy_process_group()
