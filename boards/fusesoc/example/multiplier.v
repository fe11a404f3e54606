// A user's top: an engine whose operands come from one stream, first all of A, then all of B.
module multiplier (
  input          clk,
  input          rst,
  input  [7:0]   s_axi_awaddr,
  input  [2:0]   s_axi_awprot,
  input          s_axi_awvalid,
  output         s_axi_awready,
  input  [31:0]  s_axi_wdata,
  input  [3:0]   s_axi_wstrb,
  input          s_axi_wvalid,
  output         s_axi_wready,
  output [1:0]   s_axi_bresp,
  output         s_axi_bvalid,
  input          s_axi_bready,
  input  [7:0]   s_axi_araddr,
  input  [2:0]   s_axi_arprot,
  input          s_axi_arvalid,
  output         s_axi_arready,
  output [31:0]  s_axi_rdata,
  output [1:0]   s_axi_rresp,
  output         s_axi_rvalid,
  input          s_axi_rready,
  input  [127:0] s_axis_tdata,
  input          s_axis_tlast,
  input          s_axis_tvalid,
  output         s_axis_tready,
  output [127:0] m_axis_tdata,
  output         m_axis_tlast,
  output         m_axis_tvalid,
  input          m_axis_tready
);
  reg b_comes = 0;
  wire a_ready, b_ready;
  assign s_axis_tready = b_comes ? b_ready : a_ready;

  always @(posedge clk)
    if (rst) b_comes <= 0;
    else if (s_axis_tvalid && s_axis_tready && s_axis_tlast) b_comes <= !b_comes;

  lowtide_engine engine (
    .clk(clk), .rst(rst),
    .s_axi_awaddr(s_axi_awaddr), .s_axi_awprot(s_axi_awprot),
    .s_axi_awvalid(s_axi_awvalid), .s_axi_awready(s_axi_awready),
    .s_axi_wdata(s_axi_wdata), .s_axi_wstrb(s_axi_wstrb),
    .s_axi_wvalid(s_axi_wvalid), .s_axi_wready(s_axi_wready),
    .s_axi_bresp(s_axi_bresp), .s_axi_bvalid(s_axi_bvalid), .s_axi_bready(s_axi_bready),
    .s_axi_araddr(s_axi_araddr), .s_axi_arprot(s_axi_arprot),
    .s_axi_arvalid(s_axi_arvalid), .s_axi_arready(s_axi_arready),
    .s_axi_rdata(s_axi_rdata), .s_axi_rresp(s_axi_rresp),
    .s_axi_rvalid(s_axi_rvalid), .s_axi_rready(s_axi_rready),
    .s_axis_a_tdata(s_axis_tdata), .s_axis_a_tlast(s_axis_tlast),
    .s_axis_a_tvalid(s_axis_tvalid && !b_comes), .s_axis_a_tready(a_ready),
    .s_axis_b_tdata(s_axis_tdata), .s_axis_b_tlast(s_axis_tlast),
    .s_axis_b_tvalid(s_axis_tvalid && b_comes), .s_axis_b_tready(b_ready),
    .m_axis_c_tdata(m_axis_tdata), .m_axis_c_tlast(m_axis_tlast),
    .m_axis_c_tvalid(m_axis_tvalid), .m_axis_c_tready(m_axis_tready)
  );
endmodule
