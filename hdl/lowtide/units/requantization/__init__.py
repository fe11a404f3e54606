"""Requantization: conversion of accumulators to integers of the next layer."""
